"""Where the API has a job."""

from cli.client import ApiError


def job_path(job_id: str) -> str:
    """The path of a job that somebody typed the id of; ApiError for what would be another path."""
    if not (job_id.isascii() and job_id.replace("_", "").isalnum()):
        raise ApiError(f"{job_id!r} is not the id of a job")
    return f"/v1/jobs/{job_id}"
