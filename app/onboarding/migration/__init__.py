"""A running onboarding goes on with another version of its template: look, propose, agree, decline; its rows follow."""
