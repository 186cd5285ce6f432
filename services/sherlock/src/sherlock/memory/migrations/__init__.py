"""SQL files in the order of their numbers; each runs once, and must never be changed afterwards."""
