"""Where figures leave: every form is made of the same snapshot, and of nothing else."""
