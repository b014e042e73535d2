"""What every answer tells browsers and proxies, errors, streams and pages that are no route's included."""

from flask import Response

# An API's answer is data: nothing may frame it, run it, guess its type or keep it. As Helmet has it, for no page.
POLICY = "default-src 'none'; frame-ancestors 'none'"
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
)
# What a route may say otherwise: the reference page has styles, and may be kept.
UNLESS_SAID = (("Content-Security-Policy", POLICY), ("Cache-Control", "no-store"))
# A year. Without includeSubDomains: what else the operator's domain serves is not ours to decide.
_HSTS = "max-age=31536000"


def tell(response: Response, *, secure: bool) -> None:
    """Add them to `response`; `secure`: its caller speaks TLS, with us or with a proxy of ours."""
    headers = response.headers
    headers.extend(ALWAYS)
    for name, value in UNLESS_SAID:
        if name not in headers:
            headers[name] = value
    if secure:
        headers["Strict-Transport-Security"] = _HSTS
