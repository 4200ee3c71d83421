# chapter: Expressions
# title: A neuron of two inputs
# kind: expression
# about: Drag a weight, and watch the gradient follow.
x1 = 2
w1 = -3
x2 = 0
w2 = 1
b = 6.8813735870195432
tanh(x1*w1 + x2*w2 + b)
