"""The edges of formcheck: pose models, recorded landmarks, video files and cameras."""
