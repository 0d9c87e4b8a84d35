"""What due clocks do by themselves: reminders, and letters that waited for their reader's morning."""
