"""What must be read inside H.264 and H.265 NAL units without decoding a picture."""
