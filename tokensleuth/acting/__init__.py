"""What happens after an approval: guard rails, execution at most once, undo, and the watch afterwards."""
