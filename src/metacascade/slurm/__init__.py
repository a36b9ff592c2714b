"""Jobs on a cluster: what is submitted, and what runs inside a job."""
