"""What shows the service at work: a shop, a mail catcher and a driver, all plain HTTP clients."""
