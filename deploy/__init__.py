"""What puts Bedside on boards; runs from a checkout on a workstation and is in no wheel."""
