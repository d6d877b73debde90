"""What is missing, late or suspicious in a store, judged by the calendar and by what is usual for each series."""
