"""The commands of `fenpai`, each module with its own; service/cli.py knows where each stands and opens only that one."""
