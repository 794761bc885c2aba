"""How the program feels at the keyboard: what takes how long between a key and the screen."""
