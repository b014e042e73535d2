"""The application as Flower loads it: on kombu's own transport, the only one whose broker Flower can show."""

from config.settings import Settings
from workers.app import make_app

app = make_app(Settings.from_environment(), transport=None)
