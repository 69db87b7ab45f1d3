"""Making the shipped detector again: data, augmentation, training, export and evaluation.

Run as `python -m detectors.training`. Only `train` and `export` need PyTorch and YOLOX (the extra `training`).
"""
