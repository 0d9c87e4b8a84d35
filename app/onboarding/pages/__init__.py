"""The HTML doors of running work."""

from app.onboarding.pages.course import CourseForms
from app.onboarding.pages.doors import HomePages, OnboardingForms, OnboardingPages
from app.onboarding.pages.exceptions import ExceptionForms

__all__ = ["CourseForms", "ExceptionForms", "HomePages", "OnboardingForms", "OnboardingPages"]
