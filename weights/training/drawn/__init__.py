"""What synthetic.py draws, by kind. dice.py and lettering.py are what all kinds use."""
