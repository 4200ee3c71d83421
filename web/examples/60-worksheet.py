# chapter: Practice
# title: A worksheet
# about: Another seed, another exercise; levels go from 1 (sums and products) to 6.
from micrograd import worksheet

worksheet.random(level=2, seed=7)
