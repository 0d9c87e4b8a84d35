"""One folder per provider, holding everything it needs: delete the folder, delete the provider."""
