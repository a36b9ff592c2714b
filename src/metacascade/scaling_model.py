"""What a step costs on how many ranks: fitted to scaling studies, and projected to more ranks than there are."""
