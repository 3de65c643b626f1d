"""The HTTP doors: webhooks, API, pages."""
