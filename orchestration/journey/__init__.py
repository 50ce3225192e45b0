"""What is fitted on journeys: effects of experiences, credits of touchpoints, and their pictures."""
