"""Graph-relational domain adaptation (Xu et al., ICLR 2022, arXiv:2202.03628).

Domains are the nodes of a known graph; some have labels, the others only inputs. The encoder gets each domain's node
embedding, and the adversary must tell from two encodings whether their domains are *adjacent*: alignment is relaxed
according to the graph. Here are the method, the five baselines of its tables over the same networks, the generator
of its toy data, its theory in exact form, and the audit of which rows the released loader pairs.
Not here: joint training of the node embedding, and CompCars (its images are available on request only).
"""
