"""What may be told of: the names of events, and who wants which."""

JOB_EVENTS = ("job.completed", "job.failed", "job.cancelled", "job.expired")
BATCH_EVENTS = ("batch.completed", "batch.failed", "batch.expired", "batch.cancelled")
BUDGET_EVENTS = ("budget.warning", "budget.exhausted")
# Sent to one endpoint because its owner asked for it, whatever its filter says.
TEST = "webhook.test"
EVENTS = (*JOB_EVENTS, *BATCH_EVENTS, *BUDGET_EVENTS, TEST)
# The filter that lets all of them through, those of later versions, too.
ALL = "*"
