# chapter: Manual backpropagation
# title: A neuron, step by step
# about: The same neuron as in the video; backward one node at a time.
from micrograd import Value, explain, step_through

x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
b = Value(6.8813735870195432, label="b")
n = x1*w1 + x2*w2 + b
n.label = "n"
o = n.tanh()
o.label = "o"
step_through(o)
# %%
explain(o, wrt=w1)
