"""Operations: carried out, reconciled with the servers, and recorded."""
