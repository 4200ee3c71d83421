# chapter: Manual backpropagation
# title: Every gradient by hand
# about: From the output to the inputs: each local derivative times what arrives.
from micrograd import Value, draw

a, b, c, f = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c"), Value(-2.0, label="f")
e = a * b
e.label = "e"
d = e + c
d.label = "d"
L = d * f
L.label = "L"

L.grad = 1.0
f.grad = d.data * L.grad  # L = d * f
d.grad = f.data * L.grad
c.grad = d.grad  # d = c + e: a sum passes its gradient on
e.grad = d.grad
a.grad = b.data * e.grad  # e = a * b
b.grad = a.data * e.grad
draw(L)
# %%
from micrograd import check

# backward() agrees; change a line above, and see what is said
check(L, {v.label: v.grad for v in (L, f, d, c, e, b, a)})
