# chapter: Practice
# title: A quiz
# about: It stops before each gradient and asks for it.
from micrograd import Value, step_through

a, b = Value(3.0, label="a"), Value(-2.0, label="b")
c = a*b + a
c.label = "c"
step_through(c, quiz=True)
