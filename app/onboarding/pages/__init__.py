"""The HTML doors of running work."""

from app.onboarding.pages.course import CourseForms
from app.onboarding.pages.doors import HomePages, OnboardingForms, OnboardingPages

__all__ = ["CourseForms", "HomePages", "OnboardingForms", "OnboardingPages"]
