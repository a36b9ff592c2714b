"""The model: tissue, blood, organs, ledger, and the step that joins them."""
