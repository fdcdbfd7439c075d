"""What a first deployment needs: a place for Pulumi's state, GitHub's identity, and the roles that it may take."""
