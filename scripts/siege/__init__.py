"""What lays siege to a server: kills under load with a checker beside it, garbage by the million, silent crowds."""
