"""SENSE: readings of sensors in, internal alarms (监测告警) out."""
