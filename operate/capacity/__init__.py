"""What files need of AWS, as measured, and what AWS gives: for the documents, and for the operator's ``limits``."""
