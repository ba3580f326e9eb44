"""The course's package: one idea per module, imported one by one, so that none pays for another's imports."""
