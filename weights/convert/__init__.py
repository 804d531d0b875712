"""What makes Glint model files (docs/MODEL_FORMAT.md) out of other people's files: numpy only."""
