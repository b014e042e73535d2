"""What gunicorn loads: a shim over create_app."""

from api.app import create_app
from api.services import Services
from config import logs
from config.settings import Settings

settings = Settings.from_environment()
logs.configure(settings.log_level)
app = create_app(Services.build(settings))
