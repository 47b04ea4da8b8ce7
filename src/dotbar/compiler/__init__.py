"""Program -> machine code.  It knows nothing of derivatives."""
