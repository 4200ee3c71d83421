# chapter: Expressions
# title: A number that is used twice
# kind: expression
# about: Gradients along both ways add up at a.
a = 3
b = -2.5
(a*b + a*a)**2 * a
