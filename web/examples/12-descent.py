# chapter: Expressions
# title: A loss of one weight
# kind: expression
# about: Press Play: each step moves the numbers with a tick against their gradients. Untick x and y first.
w = -1.5
x = 2
b = 0.5
y = 3
(w*x + b - y)**2
