"""DIVA: dataset derivative of a learning task (Dukler, Achille, Paolini, Ravichandran, Polito, Soatto; ICLR 2022)."""
