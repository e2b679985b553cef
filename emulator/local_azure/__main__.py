"""``python -m local_azure`` is ``local-azure``."""

from local_azure.cli import app

if __name__ == "__main__":
    app(prog_name="local-azure")
