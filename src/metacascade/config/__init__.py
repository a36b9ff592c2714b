"""Configs: their sections, reading, checking, describing, writing; presets."""
