FROM a
  FORM b
