"""Reports: tables for people, JSON in the contract of the platform's validators for machines."""
