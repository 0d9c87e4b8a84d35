"""What a CRM connector gives besides its actions: webhooks that tell of deals, and deals in our words."""
