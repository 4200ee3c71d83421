# chapter: Derivatives and values
# title: An expression, drawn
# about: A Value remembers how it was made. Under the picture, drag its numbers.
from micrograd import Value, draw

a = Value(2.0, label="a")
b = Value(-3.0, label="b")
c = Value(10.0, label="c")
e = a * b
e.label = "e"
d = e + c
d.label = "d"
f = Value(-2.0, label="f")
L = d * f
L.label = "L"
draw(L)
