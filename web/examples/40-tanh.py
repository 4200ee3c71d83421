# chapter: Backpropagation, written once
# title: tanh in pieces
# about: One operation or five: the gradients are the same.
from micrograd import Value, draw

n = Value(0.8814, label="n")
whole = n.tanh()
whole.backward()
print("tanh as one operation:", whole.data, " gradient of n:", n.grad)

n = Value(0.8814, label="n")
e = (2*n).exp()
e.label = "e"
o = (e - 1) / (e + 1)
o.label = "o"
o.backward()
print("tanh in pieces:       ", o.data, " gradient of n:", n.grad)
draw(o)
