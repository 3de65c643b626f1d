"""`jiaoying replay`: placeholder until the summary exists."""
import typer


def add_to(app: typer.Typer) -> None:
    """Add nothing yet."""
