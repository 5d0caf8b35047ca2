"""Colours of the figures: Okabe and Ito's palette, told apart with all common forms of colour blindness."""

BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, VERMILION, PURPLE, BLACK = "#E69F00", "#D55E00", "#CC79A7", "#000000"
GREY = "#7F7F7F"
PAPER_COLOUR = "#595959"  # of the paper's own values
