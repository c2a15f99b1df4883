"""`python -m service` is `fenpai`: for places where only the interpreter is known."""

from service.cli import main

if __name__ == "__main__":
    main()
