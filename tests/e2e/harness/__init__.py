"""Real hubs, agents and mailbox nodes on loopback for the end-to-end tests and deploy/demo."""
